"""What runs until it is stopped: the controller, the embedded platform, and the demo of both."""
