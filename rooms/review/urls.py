from django.urls import path

from rooms.review import views

urlpatterns = [
    path("review/", views.first, name="review"),
]
