"""Tools that know no domain and no database: time, texts, admission, files, encryption."""
