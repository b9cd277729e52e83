//! Receipts as documents, rendered to PDF, ESC/POS and preview.
