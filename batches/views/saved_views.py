"""Lists that people come back to: their own views, those that others share, and the one with which the list opens."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from batches.forms.saved_views import DefaultViewForm, NewViewForm, SavedViewForm
from batches.models import SavedView
from staff.http import StaffRequest
from staff.models import Person


@require_http_methods(["GET", "HEAD", "POST"])
def saved_views(request: StaffRequest) -> HttpResponse:
    """All that are offered to this person; POST saves one more."""
    form = NewViewForm(request.POST, person=request.user) if request.method == "POST" else None
    if form and form.is_valid():
        return redirect(form.save())
    return _page(request, new_form=form)


@require_POST
def change(request: StaffRequest, view_id: int) -> HttpResponse:
    """Another name, or shared or no longer."""
    form = SavedViewForm(request.POST, view=_own(request, view_id))
    if not form.is_valid():
        return _page(request, wrong=form)
    if not form.cleaned_data["is_shared"] and (others := _others_untold_of(request, view_id)):
        return _page(request, wrong=form, others=others)
    form.save()
    return redirect("saved-views")


@require_POST
def delete(request: StaffRequest, view_id: int) -> HttpResponse:
    view = _own(request, view_id)
    if others := _others_untold_of(request, view_id):
        return _page(request, wrong=SavedViewForm(view=view), others=others)
    view.delete()
    return redirect("saved-views")


@require_POST
def default(request: StaffRequest) -> HttpResponse:
    """The list opens with the `view` from now on; with all batches, if none is named."""
    form = DefaultViewForm(request.POST, person=request.user)
    if not form.is_valid():
        raise Http404
    request.user.default_view = form.cleaned_data["view"]
    request.user.save(update_fields=["default_view"])
    return redirect("saved-views")


def _own(request: StaffRequest, view_id: int) -> SavedView:
    return get_object_or_404(request.user.saved_views, pk=view_id)


def _others_untold_of(request: StaffRequest, view_id: int) -> int:
    """How many colleagues' list opens with it, and no longer would; none, once their number has been told."""
    colleagues = Person.objects.filter(is_active=True).exclude(pk=request.user.pk)
    others = colleagues.filter(default_view=view_id, default_view__is_shared=True).count()
    return 0 if request.POST.get("anyway") == str(others) else others


def _page(
    request: StaffRequest, new_form: NewViewForm | None = None, wrong: SavedViewForm | None = None, others: int = 0
) -> HttpResponse:
    """The page; with a form that cannot be taken as it was sent, or not before it is known how many `others` it affects."""
    offered = SavedView.objects.offered_to(request.user).select_related("person")
    context = {
        "new_form": new_form,
        "doubted": wrong.instance if wrong and others else None,
        "others": others,
        "own": [_form_of(view, wrong) for view in offered if view.person_id == request.user.pk],
        "shared": [view for view in offered if view.person_id != request.user.pk],
    }
    status = 409 if others else 422 if new_form or wrong else 200
    return render(request, "batches/saved_views.html", context, status=status)


def _form_of(view: SavedView, wrong: SavedViewForm | None) -> SavedViewForm:
    return wrong if wrong and wrong.instance.pk == view.pk else SavedViewForm(view=view)
