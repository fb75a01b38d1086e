"""Documents: papers that came in and papers that we make, encrypted, shown only through an audited view."""
