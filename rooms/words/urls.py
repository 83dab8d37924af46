from django.urls import path

from rooms.words import views

urlpatterns = [
    path("words/", views.first, name="words"),
]
