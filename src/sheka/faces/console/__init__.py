"""The staff web console: base pages, components and navigation; each system brings its own pages' data."""
