"""Pages of lists: every list is cut, whatever the client asks for."""

from rest_framework.pagination import CursorPagination, PageNumberPagination

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


class NumberedPages(PageNumberPagination):
    """`page` and `pageSize`, with the count of all."""

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "pageSize"


class NewestFirstPages(CursorPagination):
    """`cursor` and `pageSize`: for tables without end, where a count would cost more than the page."""

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "pageSize"
    ordering = ("-occurred_at", "-id")
