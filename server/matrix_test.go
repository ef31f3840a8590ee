package server

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// roles are the columns of the matrix.
var roles = [...]string{"anonymous", "outsider", "removed", "member", "admin", "administrator"}

// cast is one group chat and who is what to it. The message is the owner's.
type cast struct {
	owner, bystander, newcomer *person
	chatID, messageID          string
	ownersSession              string
	ownersPasskey              string
	botID                      string // of an administrator
	fileID                     string
	guest                      *person // becomes a member as well; nil: nobody does
	public                     bool    // the chat is public
}

// matrixRow is what each role gets from one route.
type matrixRow struct {
	body any
	want [len(roles)]int
}

func all(status int) [len(roles)]int { return [...]int{status, status, status, status, status, status} }

func users(status int) [len(roles)]int {
	return [...]int{401, status, status, status, status, status}
}

// members: an administrator of the server is nobody in a chat that is not theirs.
func members(member, admin int) [len(roles)]int { return [...]int{401, 404, 404, member, admin, 404} }

func administrators(status int) [len(roles)]int { return [...]int{401, 403, 403, 403, 403, status} }

// matrix is the expectation; placeholders in bodies are filled as in paths.
func matrix() map[string]matrixRow {
	return map[string]matrixRow{
		"POST /api/v1/users":                    {object{"username": "{new_name}", "password": password}, all(201)},
		"POST /api/v1/sessions":                 {object{"username": "owner", "password": password}, all(201)},
		"GET /api/v1/sessions":                  {nil, users(200)},
		"DELETE /api/v1/sessions/{id}":          {nil, users(404)}, // the owner's
		"DELETE /api/v1/sessions/current":       {nil, users(204)},
		"GET /api/v1/me":                        {nil, users(200)},
		"PATCH /api/v1/me":                      {object{"status_text": "here"}, users(200)},
		"DELETE /api/v1/me":                     {object{"current_password": "not the password"}, users(403)}, // let through
		"PUT /api/v1/me/password":               {object{"current_password": password, "new_password": password}, users(204)},
		"POST /api/v1/me/totp":                  {object{"current_password": password}, users(200)},
		"POST /api/v1/me/totp/confirm":          {object{"code": "000000"}, users(403)},                               // let through; the code is wrong
		"DELETE /api/v1/me/totp":                {object{"current_password": password, "code": "000000"}, users(409)}, // nor to remove
		"GET /api/v1/me/passkeys":               {nil, users(200)},
		"POST /api/v1/me/passkeys/options":      {nil, users(200)},
		"POST /api/v1/me/passkeys":              {object{"name": "mine", "challenge": "x", "credential": object{}}, users(400)}, // let through; the challenge is not theirs
		"DELETE /api/v1/me/passkeys/{id}":       {nil, users(404)},                                                              // the owner's
		"POST /api/v1/sessions/passkey/options": {nil, all(200)},
		"POST /api/v1/sessions/passkey":         {object{"challenge": "x", "credential": object{}}, all(401)},
		"GET /api/v1/auth/{provider}":           {nil, all(404)}, // there is none
		"GET /api/v1/auth/{provider}/callback":  {nil, all(401)}, // no flow of this browser
		"POST /api/v1/auth/{provider}/logout":   {nil, all(400)}, // no token
		"GET /api/v1/me/blocks":                 {nil, users(200)},
		"GET /api/v1/users":                     {nil, users(200)},
		"GET /api/v1/users/{id}":                {nil, users(200)},

		"PUT /api/v1/me/blocks/{user_id}":    {nil, users(204)},
		"DELETE /api/v1/me/blocks/{user_id}": {nil, users(204)},

		"GET /api/v1/workspace":                          {nil, all(200)},
		"PATCH /api/v1/workspace":                        {object{"name": "Acme"}, administrators(200)},
		"POST /api/v1/invitations":                       {object{"max_uses": 2}, users(201)},
		"GET /api/v1/invitations":                        {nil, users(200)},
		"DELETE /api/v1/invitations/{id}":                {nil, users(404)}, // nobody's
		"POST /api/v1/invitations/check":                 {object{"code": "x"}, all(404)},
		"POST /api/v1/password-resets":                   {object{"username": "owner"}, all(202)},
		"POST /api/v1/password-resets/complete":          {object{"token": "x", "new_password": password}, all(404)},
		"PUT /api/v1/me/email":                           {object{"email": "a@example.org", "current_password": password}, users(202)},
		"POST /api/v1/me/email/confirm":                  {object{"token": "x"}, users(404)},
		"POST /api/v1/admin/users/{id}/password-reset":   {nil, administrators(200)},
		"GET /api/v1/chats":                              {nil, users(200)},
		"POST /api/v1/chats":                             {object{"kind": "group"}, users(201)},
		"GET /api/v1/chats/public":                       {nil, users(200)},
		"GET /api/v1/chats/{id}":                         {nil, members(200, 200)},
		"PATCH /api/v1/chats/{id}":                       {object{"name": "renamed"}, members(403, 200)},
		"POST /api/v1/chats/{id}/join":                   {nil, members(200, 200)}, // by invitation only
		"POST /api/v1/chats/{id}/accept":                 {nil, members(200, 200)},
		"GET /api/v1/chats/{id}/members":                 {nil, members(200, 200)},
		"POST /api/v1/chats/{id}/members":                {object{"user_id": "{newcomer}"}, members(201, 201)},
		"PATCH /api/v1/chats/{id}/members/{user_id}":     {object{"role": "admin"}, members(403, 200)},
		"DELETE /api/v1/chats/{id}/members/{user_id}":    {nil, members(403, 200)},
		"GET /api/v1/chats/{id}/messages":                {nil, members(200, 200)},
		"POST /api/v1/chats/{id}/messages":               {object{"body": "hello"}, members(201, 201)},
		"GET /api/v1/messages/{id}":                      {nil, members(200, 200)},
		"PATCH /api/v1/messages/{id}":                    {object{"body": "mine now", "version": 1}, members(403, 403)},
		"DELETE /api/v1/messages/{id}":                   {nil, members(403, 200)},
		"GET /api/v1/messages/{id}/reactions/{emoji}":    {nil, members(200, 200)},
		"PUT /api/v1/messages/{id}/reactions/{emoji}":    {nil, members(200, 200)},
		"DELETE /api/v1/messages/{id}/reactions/{emoji}": {nil, members(200, 200)},
		"GET /api/v1/messages/{id}/timeline":             {nil, administrators(200)},
		"PUT /api/v1/chats/{id}/cursor":                  {object{"read_seq": 1}, members(200, 200)},
		"POST /api/v1/chats/{id}/signals":                {object{"name": "x"}, members(204, 204)},
		"GET /api/v1/presence":                           {nil, users(200)},
		"PUT /api/v1/presence":                           {object{"state": "dnd"}, users(200)},
		"POST /api/v1/chats/{id}/typing":                 {object{"typing": true}, members(204, 204)},
		"GET /api/v1/search":                             {nil, users(400)}, // let through; nothing is asked for
		"GET /api/v1/chats/{id}/cursors":                 {nil, members(200, 200)},
		"GET /api/v1/chats/{id}/events":                  {nil, members(200, 200)},

		"GET /api/v1/admin/users":                              {nil, administrators(200)},
		"POST /api/v1/admin/users/{id}/suspend":                {nil, administrators(200)},
		"POST /api/v1/admin/users/{id}/restore":                {nil, administrators(200)},
		"PUT /api/v1/admin/users/{id}/administrator":           {nil, administrators(200)},
		"DELETE /api/v1/admin/users/{id}/administrator":        {nil, administrators(200)},
		"DELETE /api/v1/admin/users/{id}/sessions":             {nil, administrators(200)},
		"GET /api/v1/admin/chats":                              {nil, administrators(200)},
		"PUT /api/v1/admin/chats/{id}/retention":               {object{"days": 7}, administrators(200)},
		"DELETE /api/v1/admin/chats/{id}":                      {nil, administrators(204)},
		"POST /api/v1/chats/{id}/hooks":                        {object{"name": "CI of {new_name}"}, members(403, 201)},
		"GET /api/v1/chats/{id}/hooks":                         {nil, members(403, 200)},
		"DELETE /api/v1/chats/{id}/hooks/{hook_id}":            {nil, members(403, 404)}, // let through; there is none
		"POST /api/v1/hooks/{id}/{secret}":                     {nil, all(404)},          // no secret of a hook
		"POST /api/v1/files":                                   {object{"a": "b"}, users(201)},
		"GET /api/v1/files/{id}":                               {nil, members(200, 200)},
		"GET /api/v1/files/{id}/content":                       {nil, members(200, 200)},
		"GET /api/v1/files/{id}/thumb":                         {nil, members(400, 400)}, // let through; of no size
		"GET /api/v1/chats/{id}/files":                         {nil, members(200, 200)},
		"OPTIONS /api/v1/uploads":                              {nil, all(204)},
		"POST /api/v1/uploads":                                 {nil, users(412)}, // let through; no tus
		"HEAD /api/v1/uploads/{id}":                            {nil, users(412)},
		"PATCH /api/v1/uploads/{id}":                           {nil, users(412)},
		"DELETE /api/v1/uploads/{id}":                          {nil, users(412)},
		"POST /api/v1/bots":                                    {object{"username": "{new_name}"}, administrators(201)},
		"GET /api/v1/bots":                                     {nil, administrators(200)},
		"POST /api/v1/bots/{id}/keys":                          {object{"name": "k", "scopes": []string{"admin"}}, administrators(201)},
		"GET /api/v1/bots/{id}/keys":                           {nil, administrators(200)},
		"DELETE /api/v1/bots/{id}/keys/{key_id}":               {nil, administrators(404)}, // let through; there is none
		"PUT /api/v1/admin/users/by-external-id/{external_id}": {object{"username": "crm.user"}, administrators(200)},
		"POST /api/v1/admin/batch":                             {object{"operations": []object{{"method": "GET", "path": "/me"}}}, administrators(200)},
		"GET /api/v1/admin/jobs":                               {nil, administrators(200)},
		"POST /api/v1/admin/jobs/{kind}/{key}/retry":           {nil, administrators(404)}, // let through; there is none
		"DELETE /api/v1/admin/jobs/{kind}/{key}":               {nil, administrators(404)},
		"GET /api/v1/admin/audit":                              {nil, administrators(200)},

		"GET /api/v1/events": {nil, users(500)}, // let through; a recorder cannot stream
		"GET /ws":            {nil, all(426)},   // not an upgrade; who asks is looked at on the socket
		"GET /livez":         {nil, all(200)},
		"GET /readyz":        {nil, all(503)}, // no health was given
		"GET /health/simple": {nil, all(503)},
		"GET /health":        {nil, all(503)},
		"GET /openapi.json":  {nil, all(200)},
		"GET /asyncapi.json": {nil, all(200)},
		"GET /docs":          {nil, all(200)},
	}
}

// TestAuthorizationMatrix asks every row of the router's own table as everybody.
func TestAuthorizationMatrix(t *testing.T) {
	n := newNode(t, nil)
	people, c := n.cast()
	c.ownersPasskey = newDevice("owner").register(c.owner)
	expected := matrix()
	for _, route := range n.server.routes() {
		name := route.method + " " + route.path
		row, ok := expected[name]
		if !ok {
			t.Errorf("%s has no row in the matrix", name)
			continue
		}
		delete(expected, name)
		for i, role := range roles {
			if route.method != "GET" || i == 0 {
				c.stage(t, people)
			}
			if got := c.ask(t, people[role], route, row.body); got != row.want[i] {
				t.Errorf("%s by %s: got %d, want %d", name, role, got, row.want[i])
			}
		}
	}
	for name := range expected {
		t.Errorf("the matrix has a row for %s, the table has none", name)
	}
}

// cast signs up one person per role, and those around them.
func (n *node) cast() (map[string]*person, *cast) {
	people := map[string]*person{"anonymous": {n: n, name: "anonymous"}}
	people["administrator"] = n.person("administrator") // the first user is
	for _, role := range roles[1:5] {
		people[role] = n.person("one-" + role) // admin alone is a reserved name
	}
	root := people["administrator"]
	root.want(201, "PUT", "/admin/users/by-external-id/crm-42", object{"username": "crm.user"})
	return people, &cast{owner: n.person("owner"), bystander: n.person("bystander"), newcomer: n.person("newcomer"),
		botID: root.want(201, "POST", "/bots", object{"username": "their-bot"}).field("id")}
}

// stage makes the chat anew, so that no case sees what another one did.
func (c *cast) stage(t *testing.T, people map[string]*person) {
	t.Helper()
	for _, role := range roles[1:] {
		people[role].logIn() // some routes end the session
	}
	kind := "group"
	if c.public {
		kind = "public"
	}
	members := []*person{people["removed"], people["member"], people["admin"], c.bystander}
	if c.guest != nil {
		members = append(members, c.guest)
	}
	c.chatID = c.owner.chat(kind, members...)
	c.owner.want(200, "PATCH", "/chats/"+c.chatID+"/members/"+people["admin"].id, object{"role": "admin"})
	c.messageID = c.owner.send(c.chatID, "hello").field("id")
	c.fileID = c.owner.want(201, "POST", "/files?name=a.json", object{"a": "b"}).field("id")
	c.owner.want(201, "POST", "/chats/"+c.chatID+"/messages", object{"attachments": []string{c.fileID}}, "Idempotency-Key", uuid.NewString())
	c.owner.want(200, "DELETE", "/chats/"+c.chatID+"/members/"+people["removed"].id, nil)
	for _, session := range c.owner.want(200, "GET", "/sessions", nil).list(t, "sessions") {
		c.ownersSession = textOf(session["id"])
	}
}

// ask fills a route's path and body and sends it.
func (c *cast) ask(t *testing.T, who *person, r route, body any) int {
	t.Helper()
	id := c.chatID
	switch {
	case strings.HasPrefix(r.path, v1+"/messages"):
		id = c.messageID
	case strings.HasPrefix(r.path, v1+"/admin/users"):
		id = c.newcomer.id
	case strings.HasPrefix(r.path, v1+"/files"):
		id = c.fileID
	case strings.HasPrefix(r.path, v1+"/bots"):
		id = c.botID
	case strings.HasPrefix(r.path, v1+"/users"):
		id = c.owner.id
	case strings.HasPrefix(r.path, v1+"/me/passkeys"):
		id = c.ownersPasskey
	case strings.HasPrefix(r.path, v1+"/sessions"):
		id = c.ownersSession
	}
	path := strings.NewReplacer("{id}", id, "{user_id}", c.bystander.id, "{emoji}", "%F0%9F%91%8D", "{provider}", "company", "{external_id}", "crm-42").Replace(r.path)
	if fields, ok := body.(object); ok {
		filled := object{}
		for name, value := range fields {
			if text, ok := value.(string); ok {
				value = strings.NewReplacer("{newcomer}", c.newcomer.id, "{new_name}", "u"+uuid.NewString()[:8]).Replace(text)
			}
			filled[name] = value
		}
		body = filled
	}
	if rest, ok := strings.CutPrefix(path, v1); ok && !strings.HasPrefix(rest, "/hooks/") {
		return who.do(r.method, rest, body, "Idempotency-Key", uuid.NewString()).status
	}
	req := httptest.NewRequest(r.method, path, nil)
	if who.token != "" {
		req.Header.Set("Authorization", "Bearer "+who.token)
	}
	return serve(c.owner.n.handler, req).Code
}
