"""PostgreSQL: the embedded server, pools, migrations, named queries, COPY, jobs and notifications."""
