"""Calendar addresses: what a calendar program reads of the portal, as far as the address's owner may see."""
