"""PostgreSQL: the embedded server, pools, migrations, the catalog and the rows."""
