"""Facts turned into what people and programs read: documents, reports, labels. It computes no result and knows no file and no widget."""
