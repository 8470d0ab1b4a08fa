"""vultus: a voice and one photo in, a talking video out."""
