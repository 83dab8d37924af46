from django.urls import path

from rooms.people import views

urlpatterns = [
    path("people/", views.first, name="people"),
    path("people/new/", views.new, name="person_new"),
    path("people/<int:user>/", views.account, name="person"),
    path("people/<int:user>/<slug:what>/", views.act, name="person_act"),
]
