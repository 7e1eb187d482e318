"""What phones and trackers of others send, in our terms. Pure: values in, positions out."""
