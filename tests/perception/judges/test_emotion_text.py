"""Emotion from text, on sentences written before anything was built."""
