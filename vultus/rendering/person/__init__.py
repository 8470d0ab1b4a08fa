"""People made of nothing but numbers: the head model with skin, hair, clothes and light, drawn frame by frame."""
