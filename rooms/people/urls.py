from django.urls import path

from rooms.people import views

urlpatterns = [
    path("people/", views.first, name="people"),
]
