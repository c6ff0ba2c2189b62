"""A bench teaches its own eye: the same network, another head, from some tens of its own photos. See docs/adapt.md."""
