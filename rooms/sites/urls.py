from django.urls import path

from rooms.sites import views

urlpatterns = [
    path("sites/", views.first, name="sites"),
]
