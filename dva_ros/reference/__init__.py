"""The reference page and the SROS2 policies, written from the running nodes."""
