// The API console: requests go out as the person who is signed in here, with their CSRF token.
let csrfToken = "";
fetch("/api/v1/me")
  .then((answer) => (answer.ok ? answer.json() : null))
  .then((session) => {
    csrfToken = session?.csrf_token ?? "";
  });

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#console",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor(request) {
    if (csrfToken && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRF-Token"] = csrfToken;
    }
    return request;
  },
});
