"""The operators' desk: what people and programs do, with one meaning for the page, the API and the command line."""
