"""What a model is worth, measured on labelled pictures: figures with intervals, promises with their confidence."""
