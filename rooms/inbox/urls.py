from django.urls import path

from rooms.inbox import views

urlpatterns = [
    path("inbox/", views.first, name="inbox"),
]
