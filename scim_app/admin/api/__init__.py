"""The JSON API of the settings, `/{org}/api`: what the pages do, for programs with a key and for signed-in browsers."""
