"""Faces in pictures: the head model, landmarks, fitting, tracking and performance files."""
