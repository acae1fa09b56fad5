"""How people come in: passwords, sign-ins, single-use links."""
