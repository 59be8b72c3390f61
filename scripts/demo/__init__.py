"""`make demo`: the whole way from labelled pictures to masks over HTTP, on drawn shapes."""
