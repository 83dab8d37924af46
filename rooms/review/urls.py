from django.urls import path

from rooms.review import views

urlpatterns = [
    path("review/", views.first, name="review"),
    path("review/queue/", views.waiting, name="review_queue"),
    path("review/next/", views.next_case, name="review_next"),
    path("review/history/", views.history, name="review_history"),
    path("review/<uuid:review>/", views.case, name="review_case"),
    path("review/<uuid:review>/decide/", views.decide, name="review_decide"),
    path("review/<uuid:review>/undo/", views.undo, name="review_undo"),
]
