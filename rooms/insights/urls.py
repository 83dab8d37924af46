from django.urls import path

from rooms.insights import views

urlpatterns = [
    path("insights/", views.first, name="insights"),
]
