"""What a message wants: a classifier of sentence vector and letters that says when none of its labels fits."""
