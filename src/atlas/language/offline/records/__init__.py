"""The parser of records in sentences, lists or Markdown."""
