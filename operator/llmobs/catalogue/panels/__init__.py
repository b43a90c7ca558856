"""The panels of the dashboards, one file each."""
