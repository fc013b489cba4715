"""Home: what failed, what runs now, and what to do next."""

from django.shortcuts import render


def home(request):
    return render(request, "home.html", {"nav": "home"})
