package conform

// What the checks read of what the contract sends.

type object = map[string]any

type limits struct {
	FrameBytes      int   `json:"frame_bytes"`
	BodyBytes       int   `json:"body_bytes"`
	SendsPerSecond  int   `json:"sends_per_second"`
	SendBurst       int   `json:"send_burst"`
	ChatMembers     int   `json:"chat_members"`
	ChatsPerUser    int   `json:"chats_per_user"`
	ReceiptsMembers int   `json:"receipts_members"`
	ResumeWindow    int64 `json:"resume_window"`
	ResumeEvents    int64 `json:"resume_events"`
}

type problem struct {
	Type         string   `json:"type"`
	Title        string   `json:"title"`
	Status       int      `json:"status"`
	Detail       string   `json:"detail"`
	Code         string   `json:"code"`
	RetryAfterMS int64    `json:"retry_after_ms"`
	Message      *message `json:"message"`
}

type user struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	StatusText  string `json:"status_text"`
	CreatedAt   string `json:"created_at"`
}

type session struct {
	ID      string `json:"id"`
	Device  string `json:"device"`
	Current bool   `json:"current"`
}

type entry struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	Name         string   `json:"name"`
	Topic        string   `json:"topic"`
	Archived     bool     `json:"archived"`
	MemberCount  int      `json:"member_count"`
	MemberIDs    []string `json:"member_ids"`
	LastSeq      int64    `json:"last_seq"`
	ReadSeq      int64    `json:"read_seq"`
	DeliveredSeq int64    `json:"delivered_seq"`
	Unread       int64    `json:"unread"`
	Mentions     int64    `json:"mentions"`
	Role         string   `json:"role"`
	Muted        bool     `json:"muted"`
	Hidden       bool     `json:"hidden"`
	Request      bool     `json:"request"`
	AddedSeq     int64    `json:"added_seq"`
	LastMessage  *message `json:"last_message"`
}

type member struct {
	UserID string `json:"user_id"`
	Role   string `json:"role"`
	Muted  *bool  `json:"muted"`
}

type reaction struct {
	Emoji   string   `json:"emoji"`
	Count   int      `json:"count"`
	UserIDs []string `json:"user_ids"`
	Me      *bool    `json:"me"`
}

type message struct {
	ID        string     `json:"id"`
	ChatID    string     `json:"chat_id"`
	Seq       int64      `json:"seq"`
	SenderID  string     `json:"sender_id"`
	Body      string     `json:"body"`
	ReplyTo   string     `json:"reply_to"`
	Mentions  []string   `json:"mentions"`
	Reactions []reaction `json:"reactions"`
	Version   int64      `json:"version"`
	CreatedAt string     `json:"created_at"`
	EditedAt  string     `json:"edited_at"`
	DeletedAt string     `json:"deleted_at"`
}

type history struct {
	Messages  []message `json:"messages"`
	HasMore   bool      `json:"has_more"`
	HasBefore *bool     `json:"has_before"`
	HasAfter  *bool     `json:"has_after"`
	LastSeq   int64     `json:"last_seq"`
	Epoch     string    `json:"epoch"`
}

type event struct {
	Op      string `json:"op"`
	ChatID  string `json:"chat_id"`
	Seq     int64  `json:"seq"`
	TS      string `json:"ts"`
	ActorID string `json:"actor_id"`
	D       object `json:"d"`
}

type events struct {
	Events  []event `json:"events"`
	LastSeq int64   `json:"last_seq"`
	Epoch   string  `json:"epoch"`
	Reset   *object `json:"reset"`
}

type sent struct {
	MessageID string `json:"message_id"`
	Seq       int64  `json:"seq"`
	TS        string `json:"ts"`
	Replayed  bool   `json:"replayed"`
}
