"""How the embedder is made: crops of things, the network, its export and its card. Needs torch."""
