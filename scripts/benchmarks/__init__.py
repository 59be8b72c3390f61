"""Quality and speed next to plain GluonCV; `make bench` runs a short version of all of it."""
