"""What people read of the drift tables: the gate's verdict, the page, the alert."""
