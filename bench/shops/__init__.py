"""Questions over two small shops' documents, for `bench` only."""
