"""What a person asks the controller for."""
