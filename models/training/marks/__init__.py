"""How handling marks are learnt: a finder that says where one may be, and a reader that says which one it is."""
