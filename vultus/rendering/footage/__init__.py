"""Another mouth for somebody in a video: every frame from itself, lips and teeth from the person's own best frames."""
