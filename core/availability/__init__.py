"""When people can be booked: hours, exceptions, time off, closures, limits, and the slots that are left."""
