"""What views are wrapped in."""

from django.views.decorators.http import require_http_methods

# A page with a form. HEAD is a GET without its body: a page that can be read can be asked about.
form_view = require_http_methods(["GET", "HEAD", "POST"])
