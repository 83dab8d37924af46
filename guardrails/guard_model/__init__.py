"""A guard model of the operator's, from a local folder: a classifier, or a language model that writes its verdict."""
