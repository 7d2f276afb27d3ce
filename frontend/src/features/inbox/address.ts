import { SORTS, VIEWS, type Sort, type View } from "$lib/api/types";
import type { ListQuery } from "$lib/store/views";

const isView = (value: string | undefined): value is View => VIEWS.includes(value as View);
const isSort = (value: string | null): value is Sort => SORTS.includes(value as Sort);

/** The list that an address asks for; anything unknown becomes the usual one. */
export function queryOf(view: string | undefined, params: URLSearchParams): ListQuery {
  const sort = params.get("sort");
  return {
    view: isView(view) ? view : "mine",
    channel: params.get("channel") || null,
    label: params.get("label") || null,
    sort: isSort(sort) ? sort : "newest",
  };
}

function tail(query: ListQuery): string {
  const params = new URLSearchParams();
  if (query.channel) params.set("channel", query.channel);
  if (query.label) params.set("label", query.label);
  if (query.sort !== "newest") params.set("sort", query.sort);
  const text = params.toString();
  return text ? `?${text}` : "";
}

export function listAddress(query: ListQuery): string {
  return `/inbox/${query.view}${tail(query)}`;
}

export function conversationAddress(query: ListQuery, id: string): string {
  return `/inbox/${query.view}/${id}${tail(query)}`;
}
