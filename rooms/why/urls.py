from django.urls import path

from rooms.why import views

urlpatterns = [
    path("why/", views.answers, name="why_list"),
    path("why/<uuid:message>/", views.one, name="why"),
    path("why/<uuid:message>/again/", views.again, name="why_again"),
]
