"""Records written as sentences, lists or Markdown."""
