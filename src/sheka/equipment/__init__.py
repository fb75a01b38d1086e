"""The five pieces of hardware of the mission (H1-H5), each a driver with an embedded stand-in."""
