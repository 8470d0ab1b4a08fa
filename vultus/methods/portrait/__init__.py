"""Our own: one photo or video, textured onto a fitted 3D head and played in real time on two CPU cores."""
