// After the login, the page that somebody came for: a fragment outlives a redirect.
document.getElementById("login").action = "login" + location.hash;
