// Work on a batch's rows with the keyboard.
