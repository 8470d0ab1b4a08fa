"""From a voice to a person's landmarks and blinks (sections III.B and III.C), and to what other renderers play."""
