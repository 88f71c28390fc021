"""What an insert does with rows whose timestamp and keys other rows of the dataset have."""
