"""Certificates: templates, issuing, revoking, verification, the PDF and the badge."""
